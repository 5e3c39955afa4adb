# growth.gnuplot: gnuplot growth.gnuplot draws growth.pdf, 3.25 in wide
set encoding utf8
set terminal pdfcairo size 3.25in,2.60in font 'Helvetica,7' fontscale 1 linewidth 0.8
set output 'growth.pdf'
set key above left Left reverse noenhanced samplen 2 font ',6'
set tics nomirror out scale 0.6 font ',5.5'
set title font ',6.5' offset 0,-0.6
set border 3
set multiplot layout 1,1 title 'tanh 64-w-w-1 on 256 points' noenhanced
$s0_0 << END
 9591 0.00524035 0.00524035 0.00524035
 1001881 0.008223121 0.008223121 0.008223121
 10012939 0.01791257 0.01791257 0.01791257
 100028881 0.052133978 0.052133978 0.052133978
 400058881 0.100140816 0.100140816 0.100140816
 1.0006772e+09 0.16147985 0.16147985 0.16147985
END
$s0_1 << END
 9591 0.000499923187 0.000499923187 0.000499923187
 1001881 0.00510951178 0.00510951178 0.00510951178
 10012939 0.0161529601 0.0161529601 0.0161529601
 100028881 0.0510545015 0.0510545015 0.0510545015
 400058881 0.102101775 0.102101775 0.102101775
 1.0006772e+09 0.16147985 0.16147985 0.16147985
END
$s0_2 << END
 9591 0.00032199 0.00032199 0.00032199
 1001881 0.010990211 0.010990211 0.010990211
 10012939 0.099187504 0.099187504 0.099187504
 100028881 0.943819135 0.943819135 0.943819135
 400058881 3.6336783 3.6336783 3.6336783
 1.0006772e+09 9.09393811 9.09393811 9.09393811
END
$s0_3 << END
 9591 8.71609349e-05 8.71609349e-05 8.71609349e-05
 1001881 0.00910487797 0.00910487797 0.00910487797
 10012939 0.0909954254 0.0909954254 0.0909954254
 100028881 0.909040849 0.909040849 0.909040849
 400058881 3.63564864 3.63564864 3.63564864
 1.0006772e+09 9.09393811 9.09393811 9.09393811
END
unset logscale x; unset nonlinear x; set autoscale x; set xtics autofreq; set format x '%g'
set logscale x; set format x '10^{%T}'
set xrange [*:*] noreverse
set xlabel 'parameters n' noenhanced
unset logscale y; unset nonlinear y; set autoscale y; set ytics autofreq; set format y '%g'
set logscale y; set format y '10^{%T}'
set yrange [*:*] noreverse
set ylabel 'seconds' noenhanced
set title '' noenhanced
plot $s0_0 using 1:2 with points lc rgb '#0072b2' pt 7 ps 0.35 title 'K and its eigenvalues' noenhanced, \
  $s0_1 using 1:2 with lines lc rgb '#0072b2' dt 2 lw 1.5 title 'n^(1/2)' noenhanced, \
  $s0_2 using 1:2 with points lc rgb '#d55e00' pt 6 ps 0.35 title 'forward and adjoint: the factors' noenhanced, \
  $s0_3 using 1:2 with lines lc rgb '#d55e00' dt 2 lw 1.5 title 'n' noenhanced
unset multiplot
