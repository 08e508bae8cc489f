;; The 3×3 convolution of network.js, with the four lanes of WebAssembly SIMD: all but a few hundredths of a network's work.
;;
;; One round of the inner loops makes 16 numbers: four output channels × four columns that lie side by side. So each number that
;; is read from the image serves four channels, and each weight serves four columns.
;;
;;     for each four output channels, each row, each four columns:
;;         the four sums begin with the biases
;;         for each input channel, each row of the window:
;;             read the pixels left, middle and right of the four columns
;;             sum of channel o += left · w[o][0] + middle · w[o][1] + right · w[o][2]
;;         what is less than $least becomes $least (ReLU: 0; no ReLU: minus infinity), what lies right of the image 0
;;
;; Addresses and steps are in bytes. $x points to where the window of the output's first pixel begins, $y to that pixel. Both
;; images are planes, one for each channel; one row more is a step of $…pitch, one channel more a step of $…plane. A pitch has
;; room for whole fours. Weights are [output channel][input channel][row][column]; their output channels come in whole fours.
;;
;; After a change, in this folder:
;;     python -c "import wasmtime; open('conv3x3.wasm', 'wb').write(wasmtime.wat2wasm(open('conv3x3.wat').read()))"
(module
  (memory (export "memory") 1)
  (func (export "conv3x3")
    (param $x i32) (param $xpitch i32) (param $xplane i32) (param $inputs i32)
    (param $weights i32) (param $biases i32)
    (param $y i32) (param $ypitch i32) (param $yplane i32) (param $outputs i32)
    (param $rows i32) (param $columns i32) (param $least f32)
    (local $o i32) (local $i i32) (local $j i32) (local $c i32) (local $u i32) ;; channel, row, column; channel in, row of window
    (local $plane i32) (local $line i32) (local $out i32) ;; where we read, and where we write
    (local $w0 i32) (local $w1 i32) (local $w2 i32) (local $w3 i32) (local $kernels i32) ;; where their weights are
    (local $l v128) (local $m v128) (local $r v128) ;; the pixels left, in the middle, right
    (local $s0 v128) (local $s1 v128) (local $s2 v128) (local $s3 v128) (local $inside v128)

    (local.set $kernels (i32.mul (local.get $inputs) (i32.const 36))) ;; bytes of one output channel's weights
    (loop $channels
      (local.set $i (i32.const 0))
      (loop $image
        (local.set $j (i32.const 0))
        (loop $row
          (local.set $s0 (v128.load32_splat (local.get $biases)))
          (local.set $s1 (v128.load32_splat offset=4 (local.get $biases)))
          (local.set $s2 (v128.load32_splat offset=8 (local.get $biases)))
          (local.set $s3 (v128.load32_splat offset=12 (local.get $biases)))
          (local.set $w0 (local.get $weights))
          (local.set $w1 (i32.add (local.get $w0) (local.get $kernels)))
          (local.set $w2 (i32.add (local.get $w1) (local.get $kernels)))
          (local.set $w3 (i32.add (local.get $w2) (local.get $kernels)))
          (local.set $plane (i32.add (local.get $x) (i32.add
            (i32.mul (local.get $i) (local.get $xpitch)) (i32.shl (local.get $j) (i32.const 2)))))

          (local.set $c (i32.const 0))
          (loop $sum
            (local.set $line (local.get $plane))
            (local.set $u (i32.const 0))
            (loop $window
              (local.set $l (v128.load (local.get $line)))
              (local.set $m (v128.load offset=4 (local.get $line)))
              (local.set $r (v128.load offset=8 (local.get $line)))

              (local.set $s0 (f32x4.add (local.get $s0) (f32x4.mul (local.get $l) (v128.load32_splat (local.get $w0)))))
              (local.set $s0 (f32x4.add (local.get $s0) (f32x4.mul (local.get $m) (v128.load32_splat offset=4 (local.get $w0)))))
              (local.set $s0 (f32x4.add (local.get $s0) (f32x4.mul (local.get $r) (v128.load32_splat offset=8 (local.get $w0)))))

              (local.set $s1 (f32x4.add (local.get $s1) (f32x4.mul (local.get $l) (v128.load32_splat (local.get $w1)))))
              (local.set $s1 (f32x4.add (local.get $s1) (f32x4.mul (local.get $m) (v128.load32_splat offset=4 (local.get $w1)))))
              (local.set $s1 (f32x4.add (local.get $s1) (f32x4.mul (local.get $r) (v128.load32_splat offset=8 (local.get $w1)))))

              (local.set $s2 (f32x4.add (local.get $s2) (f32x4.mul (local.get $l) (v128.load32_splat (local.get $w2)))))
              (local.set $s2 (f32x4.add (local.get $s2) (f32x4.mul (local.get $m) (v128.load32_splat offset=4 (local.get $w2)))))
              (local.set $s2 (f32x4.add (local.get $s2) (f32x4.mul (local.get $r) (v128.load32_splat offset=8 (local.get $w2)))))

              (local.set $s3 (f32x4.add (local.get $s3) (f32x4.mul (local.get $l) (v128.load32_splat (local.get $w3)))))
              (local.set $s3 (f32x4.add (local.get $s3) (f32x4.mul (local.get $m) (v128.load32_splat offset=4 (local.get $w3)))))
              (local.set $s3 (f32x4.add (local.get $s3) (f32x4.mul (local.get $r) (v128.load32_splat offset=8 (local.get $w3)))))

              ;; the window's next row, and the next three weights of each channel
              (local.set $line (i32.add (local.get $line) (local.get $xpitch)))
              (local.set $w0 (i32.add (local.get $w0) (i32.const 12)))
              (local.set $w1 (i32.add (local.get $w1) (i32.const 12)))
              (local.set $w2 (i32.add (local.get $w2) (i32.const 12)))
              (local.set $w3 (i32.add (local.get $w3) (i32.const 12)))
              (br_if $window (i32.lt_u (local.tee $u (i32.add (local.get $u) (i32.const 1))) (i32.const 3))))
            (local.set $plane (i32.add (local.get $plane) (local.get $xplane)))
            (br_if $sum (i32.lt_u (local.tee $c (i32.add (local.get $c) (i32.const 1))) (local.get $inputs))))

          ;; The last four columns may be more than there are. What comes out there would be the next layer's zero padding.
          (local.set $inside (i32x4.lt_s
            (i32x4.add (i32x4.splat (local.get $j)) (v128.const i32x4 0 1 2 3)) (i32x4.splat (local.get $columns))))
          (local.set $out (i32.add (local.get $y) (i32.add
            (i32.mul (local.get $i) (local.get $ypitch)) (i32.shl (local.get $j) (i32.const 2)))))
          (v128.store (local.get $out)
            (v128.and (local.get $inside) (f32x4.max (local.get $s0) (f32x4.splat (local.get $least)))))
          (local.set $out (i32.add (local.get $out) (local.get $yplane)))
          (v128.store (local.get $out)
            (v128.and (local.get $inside) (f32x4.max (local.get $s1) (f32x4.splat (local.get $least)))))
          (local.set $out (i32.add (local.get $out) (local.get $yplane)))
          (v128.store (local.get $out)
            (v128.and (local.get $inside) (f32x4.max (local.get $s2) (f32x4.splat (local.get $least)))))
          (local.set $out (i32.add (local.get $out) (local.get $yplane)))
          (v128.store (local.get $out)
            (v128.and (local.get $inside) (f32x4.max (local.get $s3) (f32x4.splat (local.get $least)))))

          (br_if $row (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 4))) (local.get $columns))))
        (br_if $image (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $rows))))
      (local.set $biases (i32.add (local.get $biases) (i32.const 16)))
      (local.set $weights (i32.add (local.get $weights) (i32.shl (local.get $kernels) (i32.const 2))))
      (local.set $y (i32.add (local.get $y) (i32.shl (local.get $yplane) (i32.const 2))))
      (br_if $channels (i32.lt_u (local.tee $o (i32.add (local.get $o) (i32.const 4))) (local.get $outputs))))))
